"""Corpus + checkpoint + seed -> checkpoints: training from scratch and supervised fine-tuning, on TRL and PEFT."""
