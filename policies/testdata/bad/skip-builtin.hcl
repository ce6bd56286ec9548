# What no policy decides.
hostname = "mx.test"

policy "p" {
  mail {
    skip "all" {
      when    = spf.result == "pass"
      classes = ["builtin"] # ERROR: FP0213
    }
  }
}
