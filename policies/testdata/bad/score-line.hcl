# A line of a score is points().
hostname = "mx.test"

policy "p" {
  data {
    score "a" {
      spf = 3 # ERROR: FP0206
    }
  }
}
