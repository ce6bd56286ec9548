# A deferral is a 4xx.
hostname = "mx.test"

policy "p" {
  rcpt {
    defer "a" {
      text = "5.7.1 x" # ERROR: defer gives 4.x.x codes
    }
  }
}
