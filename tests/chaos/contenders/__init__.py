"""Other ways of sending a mailing, played by the same deaths. Not part of the product."""
