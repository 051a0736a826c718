"""axenic: a laboratory for what fine-tuning does to a language model."""

import logging

# importing peft imports bitsandbytes, which on some processors advises to download compiled kernels from the hub
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)

__version__ = "0.1.0"
