#include "proxyxai/net/tls_context.hpp"

#include <gmock/gmock.h>

#include "proxyxai/base/error.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

std::string why_not(const std::string& certificate_file) {
  try {
    ServerTls tls(certificate_file, certificate_file);
  } catch (const Failure& failure) {
    return failure.what();
  }
  return {};
}

TEST(CertificateFile, ThatIsNotThereIsNamedWithItsReason) {
  EXPECT_THAT(why_not("/nowhere/cert.pem"), testing::AllOf(testing::HasSubstr("TLS_CERT"), testing::HasSubstr("'/nowhere/cert.pem': No such file or directory")));
}

TEST(CertificateFile, ThatIsNoneIsNamedWithItsReason) {
  const TempDirectory directory;
  const std::string file = directory.write("cert.pem", "no certificate\n");
  EXPECT_THAT(why_not(file), testing::AllOf(testing::HasSubstr("TLS_CERT"), testing::HasSubstr("no start line")));
}

}  // namespace
}  // namespace proxyxai
