"""The error monitor: records to groups, groups to states, states to alerts."""
