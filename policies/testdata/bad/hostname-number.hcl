# The name of the host is a text.
hostname = 5 # ERROR: hostname is a string, and this is a number

log {}
