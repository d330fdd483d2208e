#include "gateway/tls/certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "orchestrator/base/status_macros.h"

namespace tls {

namespace {

template <auto kFree>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<&BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Deleter<&X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<&EVP_PKEY_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Deleter<&GENERAL_NAMES_free>>;

Bio Reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Instead of asking on the terminal.
int NoPassPhrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Certificate ReadCertificate(const std::string& pem) {
  Bio reader = Reader(pem);
  Certificate certificate(PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return certificate;
}

absl::Time ToTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

// All certificates of a PEM text; 0 when there is none or one is broken.
int CountCertificates(const std::string& pem) {
  Bio reader = Reader(pem);
  int count = 0;
  while (true) {
    const Certificate certificate(PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    ++count;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return at_end ? count : 0;
}

std::string Text(const ASN1_STRING* value) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, value);
  if (size < 0) return "";
  std::string text(reinterpret_cast<char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  // A name with a NUL or a line break is nobody's: it may only be meant to look like one.
  const bool clean = std::none_of(text.begin(), text.end(),
                                  [](unsigned char c) { return absl::ascii_iscntrl(c); });
  return clean ? text : "";
}

void AddName(const std::string& name, std::vector<std::string>* names) {
  if (name.empty() || std::find(names->begin(), names->end(), name) != names->end()) return;
  names->push_back(name);
}

std::string SubjectEntry(const X509_NAME* subject, int nid) {
  const int index = X509_NAME_get_index_by_NID(subject, nid, -1);
  if (index < 0) return "";
  return Text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
}

std::string SubjectText(const X509_NAME* subject) {
  const Bio writer(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(writer.get(), subject, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(writer.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

void ReadAlternativeNames(const X509* certificate, PeerCertificate* peer) {
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_EMAIL) AddName(Text(name->d.rfc822Name), &peer->emails);
    if (name->type == GEN_DNS) AddName(Text(name->d.dNSName), &peer->dns_names);
    if (name->type == GEN_URI) AddName(Text(name->d.uniformResourceIdentifier), &peer->uris);
  }
}

constexpr size_t kRememberedMax = 256;

struct Remembered {
  absl::Mutex mu;
  absl::flat_hash_map<std::string, std::shared_ptr<const PeerCertificate>> by_pem
      ABSL_GUARDED_BY(mu);
};

}  // namespace

absl::Status Check(absl::Time now, Material* material) {
  const Certificate certificate = ReadCertificate(material->certificate);
  if (certificate == nullptr) {
    return absl::InvalidArgumentError("the certificate file holds no certificate in PEM form");
  }
  if (CountCertificates(material->certificate) == 0) {
    return absl::InvalidArgumentError(
        "the certificate file holds a certificate that cannot be read after the first one");
  }
  bool asked = false;
  Bio reader = Reader(material->key);
  const Key key(PEM_read_bio_PrivateKey(reader.get(), nullptr, &NoPassPhrase, &asked));
  ERR_clear_error();
  if (asked) {
    return absl::InvalidArgumentError(
        "the key has a pass phrase; write it without one (openssl pkey -in KEY -out NEW)");
  }
  if (key == nullptr) {
    return absl::InvalidArgumentError("the key file holds no private key in PEM form");
  }
  const bool fits = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!fits) {
    return absl::InvalidArgumentError("the key is not that of the certificate");
  }
  const absl::Time not_before = ToTime(X509_get0_notBefore(certificate.get()));
  material->not_after = ToTime(X509_get0_notAfter(certificate.get()));
  if (now < not_before) {
    return absl::InvalidArgumentError(
        absl::StrCat("the certificate is not valid before ", absl::FormatTime(not_before)));
  }
  if (now > material->not_after) {
    return absl::InvalidArgumentError(
        absl::StrCat("the certificate expired at ", absl::FormatTime(material->not_after)));
  }
  if (!material->client_ca.empty() && CountCertificates(material->client_ca) == 0) {
    return absl::InvalidArgumentError(
        "the file of client authorities holds no certificate in PEM form, or a broken one");
  }
  return absl::OkStatus();
}

absl::StatusOr<PeerCertificate> Describe(const std::string& pem) {
  const Certificate certificate = ReadCertificate(pem);
  if (certificate == nullptr) return absl::InvalidArgumentError("no certificate in PEM form");
  PeerCertificate peer;
  const X509_NAME* subject = X509_get_subject_name(certificate.get());
  peer.subject = SubjectText(subject);
  peer.common_name = SubjectEntry(subject, NID_commonName);
  ReadAlternativeNames(certificate.get(), &peer);
  AddName(SubjectEntry(subject, NID_pkcs9_emailAddress), &peer.emails);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  X509_digest(certificate.get(), EVP_sha256(), digest, &size);
  peer.fingerprint =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<char*>(digest), size));
  return peer;
}

std::shared_ptr<const PeerCertificate> DescribeCached(const std::string& pem) {
  static auto* const remembered = new Remembered;
  {
    absl::MutexLock lock(&remembered->mu);
    const auto found = remembered->by_pem.find(pem);
    if (found != remembered->by_pem.end()) return found->second;
  }
  absl::StatusOr<PeerCertificate> peer = Describe(pem);
  if (!peer.ok()) return nullptr;
  auto shared = std::make_shared<const PeerCertificate>(*std::move(peer));
  absl::MutexLock lock(&remembered->mu);
  if (remembered->by_pem.size() >= kRememberedMax) remembered->by_pem.clear();
  remembered->by_pem[pem] = shared;
  return shared;
}

}  // namespace tls
