# One fact is not two words.
hostname = "mx.test"

policy "p" {
  mail {
    reject "a" { # WARNING: never both so
      when = spf.result == "fail" && spf.result == "none"
      text = "5.7.1 x"
    }
  }
}
