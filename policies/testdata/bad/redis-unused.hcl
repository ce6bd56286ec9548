# A Redis that nothing uses.
hostname = "mx.test"

redis "r" { # WARNING: Nothing refers to redis.r
  address = "127.0.0.1:6379"
}
