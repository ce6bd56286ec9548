# Things that wait for each other.
hostname = "mx.test"

filter "content" "a" {
  when = content.b.hit
}

filter "content" "b" { # ERROR: waits for
  when = content.a.hit
}

rules "x" {
  rcpt {
    use "y" {}
  }
}

rules "y" {
  rcpt {
    use "x" {} # ERROR: uses itself
  }
}

policy "p" {
  rcpt {
    use "x" {}
  }
}
