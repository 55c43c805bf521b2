module consul-for-tests

go 1.16

require github.com/hashicorp/consul v1.10.0
