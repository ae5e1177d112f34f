# The quick tests of the demo's shop.
set -eu
test -f README.md
echo "the shop has a README"
