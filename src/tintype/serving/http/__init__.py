"""What is HTTP about the service: routes, uploads, answers, the contract, and how much may come at once."""
