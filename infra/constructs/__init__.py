"""One construct for each capability that several resources share."""
