#!/usr/bin/env bash
# Makes the keystores of this folder with keytool of Java 17 and 25 (or what JAVA17 and JAVA25 name) and OpenSSL 3. They are in
# version control, so that the tests need neither. The password is changeit everywhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
j17=${JAVA17:-/usr/lib/jvm/java-17-openjdk-amd64}/bin/keytool
j25=${JAVA25:-/usr/lib/jvm/temurin-25-jdk-amd64}/bin/keytool
legacy=(-J-Dkeystore.pkcs12.legacy=true)
pass=(-storepass changeit -noprompt)
key=(-genkeypair -keyalg EC -groupname secp256r1 -validity 36500 -dname)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -f ./*.p12 ./*.jks ./*.jceks
pkcs12() { openssl pkcs12 "$@" -passin pass:changeit -passout pass:changeit; }

# An authority with an intermediate, and a server's certificate.
ext() { printf '%s\n' "$@" >"$work/ext"; }
new() { openssl ecparam -genkey -name prime256v1 -noout -out "$work/$1.key"; }
new root
openssl req -x509 -new -key "$work/root.key" -days 36500 -subj '/O=Test/CN=Test Root' -out "$work/root.pem" 2>/dev/null
sign() { # name subject issuer
	new "$1"
	openssl req -new -key "$work/$1.key" -subj "$2" -out "$work/$1.csr" 2>/dev/null
	openssl x509 -req -in "$work/$1.csr" -CA "$work/$3.pem" -CAkey "$work/$3.key" -CAcreateserial -days 36500 -extfile "$work/ext" -out "$work/$1.pem" 2>/dev/null
}
ext 'basicConstraints=critical,CA:true' 'keyUsage=critical,keyCertSign'
sign inter '/O=Test/CN=Test Intermediate' root
ext 'basicConstraints=critical,CA:false' 'subjectAltName=DNS:server.test.example'
sign server '/O=Test/CN=server.test.example' inter
sign other '/O=Test/CN=other.test.example' root
cat "$work/inter.pem" "$work/root.pem" >"$work/chain.pem"
openssl pkcs8 -topk8 -nocrypt -in "$work/server.key" -out "$work/server.p8"

# keytool
"$j17" "${key[@]}" CN=one -alias one -keystore keytool17.p12 "${pass[@]}" 2>/dev/null
"$j25" "${key[@]}" CN=one -alias one -keystore keytool25.p12 "${pass[@]}" 2>/dev/null
"$j17" "${legacy[@]}" "${key[@]}" CN=one -alias one -keystore keytool8.p12 "${pass[@]}" 2>/dev/null
for alias in Two THREE; do "$j17" "${key[@]}" CN=$alias -alias $alias -keystore keytool17several.p12 "${pass[@]}" 2>/dev/null; done
"$j17" -importcert -alias ca -file "$work/root.pem" -keystore keytool17several.p12 "${pass[@]}" 2>/dev/null
"$j17" -genseckey -keyalg AES -keysize 256 -alias aes -keystore keytool17several.p12 "${pass[@]}" 2>/dev/null
for name in root inter; do "$j17" -importcert -alias $name -file "$work/$name.pem" -keystore keytool17trust.p12 "${pass[@]}" 2>/dev/null; done
"$j25" -J-Dkeystore.pkcs12.macAlgorithm=NONE -J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE -importcert -alias root -file "$work/root.pem" -keystore keytool25open.p12 "${pass[@]}" 2>/dev/null

# OpenSSL
from=(-in "$work/server.pem" -inkey "$work/server.key" -certfile "$work/chain.pem")
pkcs12 -export -name server "${from[@]}" -out openssl.p12
pkcs12 -export -name server "${from[@]}" -legacy -out openssllegacy.p12
pkcs12 -export "${from[@]}" -out opensslnoname.p12
pkcs12 -export -name server "${from[@]}" -nomac -out opensslnomac.p12
pkcs12 -export -name server "${from[@]}" -keypbe NONE -certpbe NONE -out opensslplain.p12
pkcs12 -export -name server "${from[@]}" -legacy -keypbe PBE-SHA1-RC2-128 -certpbe PBE-SHA1-RC4-128 -macalg md5 -out opensslold.p12
pkcs12 -export -name server "${from[@]}" -keypbe des-ede3-cbc -certpbe AES-128-CBC -macalg sha512 -out opensslother.p12
pkcs12 -export -nokeys -caname root -in "$work/root.pem" -out opensslcertificates.p12

# Java's older kind
"$j17" -importkeystore -srckeystore openssl.p12 -srcstorepass changeit -destkeystore keytool17.jks -deststoretype jks -deststorepass changeit -noprompt 2>/dev/null
"$j17" -importcert -alias CA -file "$work/root.pem" -keystore keytool17.jks "${pass[@]}" 2>/dev/null
"$j17" -importkeystore -srckeystore openssl.p12 -srcstorepass changeit -destkeystore keytool17.jceks -deststoretype jceks -deststorepass changeit -noprompt 2>/dev/null
