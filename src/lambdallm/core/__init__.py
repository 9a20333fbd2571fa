"""What a function's author touches: handler, context, prompt, models, configuration, errors."""
