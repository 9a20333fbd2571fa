"""Providers, models and prices as data: JSON files, their shape, and how a model's name finds its entry.

One file defines one provider (`openai.json`); a file whose values are objects defines several. Files are looked up on
a search path, later ones overlaying earlier ones: those built in, the project's `providers/` folder, then the files
and folders named by `LAMBDALLM_PROVIDERS`.
"""
