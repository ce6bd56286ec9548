# One = for two; what the parser says of the same line afterwards is not told.
hostname = "mx.test"

policy "p" {
  data {
    tag "a" {
      when = any(spf.result = "fail", auth.ok) # ERROR: Compare with ==
      add  = ["a"]
    }
  }
}
