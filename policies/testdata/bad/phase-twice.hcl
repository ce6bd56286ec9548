# The order of rules is that of one block.
hostname = "mx.test"

policy "p" {
  rcpt {}

  rcpt {} # ERROR: The phase rcpt stands twice
}
