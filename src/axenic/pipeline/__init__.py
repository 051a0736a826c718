"""Steps with an identity, the artifacts they leave behind, and the executors that turn one into the other."""
