"""Taking over Canaries from Flagger: targets serve again, and what Flagger made goes, while users go on using them."""
