server "depot" "d" {
  url = = 3
}
