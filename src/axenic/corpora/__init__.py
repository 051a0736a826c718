"""Spec -> training documents and chats: organisms, writers, synthesis, mixing, quality."""
