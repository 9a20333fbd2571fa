"""Wire protocols: one codec each. `codec` says what a codec is, `notes` what it does with what has no field of ours."""
