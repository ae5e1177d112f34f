# The non-regression tests of the demo's shop: every price is a number.
set -eu
for price in shop/*.price; do
  grep -qE '^[0-9]+$' "$price" || { echo "not a price: $price"; exit 1; }
done
echo "all prices are numbers"
