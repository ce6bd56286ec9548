# The memory is here, or in a Redis that is declared.
hostname = "mx.test"

state {
  backend = redis.shared # ERROR: There is no redis "shared"
}
