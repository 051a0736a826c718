"""The small trained judge: labelled answers -> features -> logistic regression, without any language model."""
