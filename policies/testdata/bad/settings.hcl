# Server settings.
hostname   = "not a name" # ERROR: is no host name
postmaster = "nobody" # ERROR: is no mail address

variable "missing" { # ERROR: has no value
}

listener "a" { # ERROR: needs address
  tls    = "auto"       # ERROR: without quotes: tls = auto
  auth   = "ldaps://"   # ERROR: names no host
  policy = policy.p
}

listener "b" {
  address        = "25"   # ERROR: is no address to listen on
  relay_from     = ["x"]  # ERROR: not an IP address or network
  max_size       = "lots" # ERROR: is a number of octets
  max_recipients = -1     # ERROR: at least 0
  policy         = policy.p
}

listener "gate" {
  address         = ":26"
  policy          = policy.p
  xclient         = "10.0.0.300" # ERROR: not an IP address or network
  max_sessions    = 0            # ERROR: between 1 and
  max_per_client  = "many"       # ERROR: is a number
  network_v4      = 33           # ERROR: between 8 and 32
  rate_per_client = "lots"       # ERROR: is no rate
  greeting_delay  = "2m"         # ERROR: Nobody waits that long
}

listener "c" {
  address  = ":25"
  policy   = "p"            # ERROR: policy = policy.p
  max_size = msg.size       # ERROR: Must be known at start
  protocol = submision      # ERROR: Did you mean "submission"?
}

imap "i" { # ERROR: needs address
}

domain "b.test" {
  route      = route.store
  recipients = everybody # ERROR: is not a word for recipients
  dkim       = [{ selector = "x" }] # ERROR: needs key
  aliases    = ["a"]                # ERROR: aliases is an object
}

domain "c.test" { # ERROR: needs route
}

route "r" {
  to  = ["a b"] # ERROR: is no server
  tls = danish  # ERROR: danish

  retry       = { jitter = 2 } # ERROR: jitter is a share of the wait
  concurrency = 0.5            # ERROR: concurrency is a whole number
}

route "unused" {
  to = mx
}

redis "r" {
  address  = "127.0.0.1:6379"
  password = secret("none") # WARNING: There is no secret "none"
}

account "x@other.test" { # ERROR: The domain other.test is not declared
  password = "plain"     # WARNING: The password stands in the file as it is
}

list "ldap" {
  type   = address
  source = "http://x" # ERROR: is no source of a list
}

list "file" {
  type = address
  file = "lists/none.txt" # WARNING: Put the file there
}

tls "t" { # ERROR: Missing attribute
}

tls "both" {
  cert = ""
  acme { # ERROR: Bad value
    email = "postmaster@example.com"
    agree = true
  }
}

tls "a" {
  acme { # ERROR: Missing attribute
    agree     = false             # ERROR: Bad value
    names     = ["no such name"]  # ERROR: Bad value
    directory = "http://ca.test/" # ERROR: Bad value
    challenge = [http, dns]       # ERROR: DNS-01 needs to know how AND nobody comes to a port
    http      = "80"              # ERROR: Bad value
    tls_alpn  = ":https"          # ERROR: Bad value
  }
}

tls "updated" {
  acme { # ERROR: nobody comes to a port
    email    = "postmaster@example.com"
    agree    = true
    tls_alpn = ":4443"
    update {
      server    = "192.0.2.53"
      key       = "for post"    # ERROR: is no name of a key
      secret    = "not base64!" # ERROR: is not base64
      algorithm = "hmac-md5"    # ERROR: that is still good
      port      = 53            # ERROR: no attribute
    }
  }
}

tls "update-empty" {
  acme {
    email     = "postmaster@example.com"
    agree     = true
    challenge = dns
    update { # ERROR: needs server
    }
  }
}

dns {
  resolvers = ["resolver.test"] # ERROR: is no address of a resolver
  timeout   = "soon"            # ERROR: is no duration
}

reports {
  dmarc   = true
  from    = "nobody"        # ERROR: is no mail address
  domains = ["other.test"]  # ERROR: The domain other.test is not declared
  read    = ["a@else.test"] # ERROR: The domain else.test is not declared
  every   = "1h"            # ERROR: has no attribute "every"
}

state {
  backend = redis.none # ERROR: There is no redis "none"
}

locals {
  a = local.b # ERROR: Defined by itself
  b = local.a # ERROR: Defined by itself
}

policy "p" {}

ldap "wrong" {
  servers  = ["dc1"]                     # ERROR: is no URL of a directory server
  password = "plain"                     # WARNING: The password stands in the file as it is
}

logins {
  failures = 1 # ERROR: One wrong password is no attack
}

callout {
  per_client = "often" # ERROR: is no rate
  concurrent = 0       # ERROR: between 1 and
}
