"""What several judges need: their argument, their prompt files, a sequence classifier, calls to a provider."""
