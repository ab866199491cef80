"""The pages for readers: opting out with one click or a button, and taking it back."""
