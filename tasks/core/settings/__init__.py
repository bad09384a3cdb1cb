"""The settings under maintenance: model, sources, rules, loading, and what shows them."""
