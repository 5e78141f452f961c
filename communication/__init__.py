"""What api, worker and channels share: model, store, events, errors, settings."""
