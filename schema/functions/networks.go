package functions

import (
	"errors"
	"fmt"
	"math/big"
	"net"

	"github.com/apparentlymart/go-cidr/cidr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

const strictAddresses = "An address with leading zeros, such as 010.0.0.1, is an error: programs disagree " +
	"about what it means."

func networks() []Function {
	prefix := param("prefix", cty.String)
	return []Function{
		{Name: "cidrhost", Differs: strictAddresses, Func: networkFunc(cty.String, nil, cidrHost, prefix,
			param("hostnum", cty.Number)),
			Summary: "An address in a network, by its number; from the end where that is negative.",
			Examples: examples(`cidrhost("10.12.112.0/20", 16)`, `"10.12.112.16"`,
				`cidrhost("fd00:fd12:3456:7890:00a2::/72", 34)`, `"fd00:fd12:3456:7890::22"`)},
		{Name: "cidrnetmask", Differs: strictAddresses, Func: networkFunc(cty.String, nil, cidrNetmask, prefix),
			Summary:  "The netmask of an IPv4 network.",
			Examples: examples(`cidrnetmask("172.16.0.0/12")`, `"255.240.0.0"`)},
		{Name: "cidrsubnet", Differs: strictAddresses, Func: networkFunc(cty.String, nil, cidrSubnet, prefix,
			param("newbits", cty.Number), param("netnum", cty.Number)),
			Summary:  "A network inside of a network: so many bits longer, and by its number.",
			Examples: examples(`cidrsubnet("172.16.0.0/12", 4, 2)`, `"172.18.0.0/16"`)},
		{Name: "cidrsubnets", Differs: strictAddresses, Func: networkFunc(cty.List(cty.String),
			&function.Parameter{Name: "newbits", Type: cty.Number}, cidrSubnets, prefix),
			Summary: "Networks inside of a network, one after another, each so many bits longer.",
			Examples: examples(`cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)`,
				`tolist(["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/24", "10.1.48.0/20"])`)},
	}
}

// networkFunc makes a function whose first argument is a network, and whose others are whole numbers.
func networkFunc(ty cty.Type, rest *function.Parameter, f func(*net.IPNet, []*big.Int) (cty.Value, error),
	params ...function.Parameter,
) function.Function {
	return spec(params, rest, function.StaticReturnType(ty), func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		_, network, err := net.ParseCIDR(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "it is not a network such as \"10.0.0.0/8\" or \"fd00::/8\"")
		}
		var numbers []*big.Int
		for i, a := range args[1:] {
			n, accuracy := a.AsBigFloat().Int(nil)
			if accuracy != big.Exact || n.BitLen() > 128 {
				return cty.NilVal, function.NewArgErrorf(i+1, "a whole number is required, of at most 128 bits")
			}
			numbers = append(numbers, n)
		}
		return f(network, numbers)
	})
}

func cidrHost(network *net.IPNet, n []*big.Int) (cty.Value, error) {
	ip, err := cidr.HostBig(network, n[0])
	if err != nil {
		return cty.NilVal, function.NewArgError(1, err)
	}
	return cty.StringVal(ip.String()), nil
}

func cidrNetmask(network *net.IPNet, _ []*big.Int) (cty.Value, error) {
	if network.IP.To4() == nil {
		return cty.NilVal, function.NewArgErrorf(0, "only networks of IPv4 have a netmask")
	}
	return cty.StringVal(net.IP(network.Mask).String()), nil
}

func cidrSubnet(network *net.IPNet, n []*big.Int) (cty.Value, error) {
	bits, err := longer(network, n[0], 0)
	if err != nil {
		return cty.NilVal, function.NewArgError(1, err)
	}
	if n[1].Sign() < 0 || n[1].BitLen() > bits {
		return cty.NilVal, function.NewArgErrorf(2, "%d bits number the networks from 0 to 2^%d-1", bits, bits)
	}
	subnet, err := cidr.SubnetBig(network, bits, n[1])
	if err != nil {
		return cty.NilVal, err
	}
	return cty.StringVal(subnet.String()), nil
}

// longer returns how many bits longer a network's prefix is to be.
func longer(network *net.IPNet, n *big.Int, least int64) (int, error) {
	ones, all := network.Mask.Size()
	if n.Cmp(big.NewInt(least)) < 0 || n.Cmp(big.NewInt(int64(all-ones))) > 0 {
		return 0, fmt.Errorf("the prefix, of %d bits, can be from %d to %d bits longer", ones, least, all-ones)
	}
	return int(n.Int64()), nil
}

func cidrSubnets(network *net.IPNet, n []*big.Int) (cty.Value, error) {
	if len(n) == 0 {
		return cty.ListValEmpty(cty.String), nil
	}
	ones, _ := network.Mask.Size()
	var out []cty.Value
	var last *net.IPNet
	for i, number := range n {
		bits, err := longer(network, number, 1)
		if err != nil {
			return cty.NilVal, function.NewArgError(i+1, err)
		}
		if last == nil {
			last, _ = cidr.PreviousSubnet(network, ones+bits)
		}
		next, beyond := cidr.NextSubnet(last, ones+bits)
		if beyond && i > 0 || !network.Contains(next.IP) {
			return cty.NilVal, function.NewArgError(i+1, errors.New("there is no room left for a network of that size"))
		}
		out = append(out, cty.StringVal(next.String()))
		last = next
	}
	return cty.ListVal(out), nil
}
