# A class that is not declared.
hostname = "mx.test"

policy "p" {
  mail {
    skip "all" {
      when    = spf.result == "pass"
      classes = ["spamm"] # ERROR: Did you mean "spam"?
    }
  }
}
