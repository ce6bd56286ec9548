# A condition that no mail meets.
hostname = "mx.test"

policy "p" {
  mail {
    reject "a" { # WARNING: false whatever the mail
      when = listed("a", ["b"])
      text = "5.7.1 x"
    }
  }
}
