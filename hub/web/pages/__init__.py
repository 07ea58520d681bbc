"""The pages of the console, one module each: handlers that read a form, call the hub, and render a template."""
