# Resolvers are addresses.
hostname = "mx.test"

dns {
  resolvers = ["dns.test"] # ERROR: is no address of a resolver
}
