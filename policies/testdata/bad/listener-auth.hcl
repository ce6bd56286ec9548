# Logins are against accounts or a directory.
hostname = "mx.test"

listener "a" {
  address = ":465"
  auth    = acounts # ERROR: Did you mean "accounts"?
}
