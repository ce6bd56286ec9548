# /etc/forepost/forepost.hcl: one gateway in front of one mail server.
# Check it with `forepost check`, then `systemctl restart forepost`.

hostname = "mx.example.com" # the name in greetings; its address should have this name in the reverse DNS

# Mail for this domain is taken from anyone, if its recipient exists.
domain "example.com" {
  route = route.inside
}

# Where it goes. Who exists is found out by asking this server (a callout).
route "inside" {
  to = ["10.0.0.5:25"]
}

listener "edge" {
  address    = ":25"
  relay_from = ["10.0.0.5"] # the mail server sends out through us, too
  policy     = policy.recommended
}
