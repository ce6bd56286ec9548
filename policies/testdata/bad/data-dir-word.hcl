# A path is written in quotes.
hostname = "mx.test"

data_dir = here # ERROR: Put it in quotes
