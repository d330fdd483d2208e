#include "tests/integration/gateway/test_certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/check.h"

namespace gateway {

namespace {

void SetName(X509_NAME* name, const std::string& common_name) {
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  CHECK(extension != nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

template <typename Write>
std::string Pem(Write write) {
  BIO* writer = BIO_new(BIO_s_mem());
  CHECK(write(writer) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(writer, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(writer);
  return text;
}

X509* NewCertificate(const TestSubject& subject, EVP_PKEY* key) {
  static std::atomic<long> serial = 1;
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(subject.not_before));
  ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(subject.not_after));
  SetName(X509_get_subject_name(certificate), subject.common_name);
  X509_set_pubkey(certificate, key);
  return certificate;
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name) : key_(EVP_EC_gen("P-256")) {
  certificate_ = NewCertificate({.common_name = name}, key_);
  X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
  AddExtension(certificate_, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate_, NID_key_usage, "critical,keyCertSign,cRLSign");
  CHECK(X509_sign(certificate_, key_, EVP_sha256()) != 0);
  pem_ = Pem([&](BIO* writer) { return PEM_write_bio_X509(writer, certificate_); });
}

TestAuthority::~TestAuthority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

TestCertificate TestAuthority::Sign(const TestSubject& subject) const {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = NewCertificate(subject, key);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate_));
  AddExtension(certificate, NID_subject_alt_name,
               absl::StrCat("DNS:localhost,IP:127.0.0.1",
                            subject.email.empty() ? "" : ",email:", subject.email));
  AddExtension(certificate, NID_ext_key_usage, "serverAuth,clientAuth");
  CHECK(X509_sign(certificate, key_, EVP_sha256()) != 0);
  TestCertificate made;
  made.certificate = Pem([&](BIO* writer) { return PEM_write_bio_X509(writer, certificate); });
  made.key = Pem([&](BIO* writer) {
    return PEM_write_bio_PrivateKey(writer, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
  X509_free(certificate);
  EVP_PKEY_free(key);
  return made;
}

void CertificateFiles::Write(const std::string& name, const std::string& text) const {
  std::ofstream(Path(name)) << text;
}

void CertificateFiles::WriteServer(const TestCertificate& certificate) const {
  Write("server.pem", certificate.certificate);
  Write("server.key", certificate.key);
}

TlsContext ClientContext(const TestAuthority& trusted, const TestCertificate* own) {
  TlsContext context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  BIO* reader = BIO_new_mem_buf(trusted.pem().data(), static_cast<int>(trusted.pem().size()));
  X509* authority = PEM_read_bio_X509(reader, nullptr, nullptr, nullptr);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority);
  X509_free(authority);
  BIO_free(reader);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (own == nullptr) return context;
  reader = BIO_new_mem_buf(own->certificate.data(), static_cast<int>(own->certificate.size()));
  X509* certificate = PEM_read_bio_X509(reader, nullptr, nullptr, nullptr);
  CHECK(SSL_CTX_use_certificate(context.get(), certificate) == 1);
  X509_free(certificate);
  BIO_free(reader);
  reader = BIO_new_mem_buf(own->key.data(), static_cast<int>(own->key.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(reader, nullptr, nullptr, nullptr);
  CHECK(SSL_CTX_use_PrivateKey(context.get(), key) == 1);
  EVP_PKEY_free(key);
  BIO_free(reader);
  return context;
}

}  // namespace gateway
