# Rules that have nothing for the phase.
hostname = "mx.test"

rules "common" {
  rcpt {}
}

policy "p" {
  mail {
    use "common" {} # ERROR: has nothing for the mail phase
  }
}
