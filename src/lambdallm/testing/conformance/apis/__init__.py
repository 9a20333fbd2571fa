"""The APIs that have a codec, by the vendor whose SDK judged them. A new vendor is a module here, named in `table`."""
