"""Thinking that models write into their text, between tags, told apart from the answer and put back where it was."""
