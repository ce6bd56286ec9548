# What may be gone after a restart.
hostname = "mx.test"

policy "p" {
  deliver {
    tag "a" {
      when = msg.is_bulk # ERROR: is no longer known
      add  = ["x"]
    }
  }
}
