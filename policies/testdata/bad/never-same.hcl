# The same condition again.
hostname = "mx.test"

policy "p" {
  rcpt {
    reject "a" {
      when = mail.null && !auth.ok
      text = "5.7.1 x"
    }

    defer "b" { # WARNING: under the same condition
      when = mail.null && !auth.ok
      text = "4.7.1 x"
    }

    defer "c" {
      when  = mail.null
      class = "spam"
      text  = "4.7.1 x"
    }
  }
}
