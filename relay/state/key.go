package state

import (
	"crypto/sha256"
	"encoding/hex"
)

// maxKey bounds the keys that are kept as they are. They come from outside
// (addresses, names); a longer one is kept by its hash.
const maxKey = 256

func bounded(key string) string {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return key[:maxKey-2*len(sum)-1] + "#" + hex.EncodeToString(sum[:])
}
