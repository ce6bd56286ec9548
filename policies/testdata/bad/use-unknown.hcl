# Rules that are not declared.
hostname = "mx.test"

rules "common" {
  rcpt {}
}

policy "p" {
  rcpt {
    use "comon" {} # ERROR: Did you mean "common"?
  }
}
