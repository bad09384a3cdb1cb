"""LLM providers: asked over HTTP, their answers measured and remembered."""
