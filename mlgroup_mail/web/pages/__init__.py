"""What readers see and press: opting out, the page of topics, joining."""
