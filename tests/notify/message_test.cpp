#include "proxyxai/notify/message.hpp"

#include <algorithm>

#include <gmock/gmock.h>

namespace proxyxai {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

MessageHead head() {
  return {{"", "gateway@example.com"}, {"", "ann@example.org"}, "", from_unix_ms(1'795'510'680'000), "a1b2"};
}

std::string body_of(const std::string& message) { return message.substr(message.find("\r\n\r\n") + 4); }

TEST(Message, IsWholeAndPlainForAsciiMail) {
  EXPECT_EQ(compose_message({"ann@example.org", "Low balance", "Hello,\n\nbye\n"}, head()),
            "Date: Tue, 24 Nov 2026 08:58:00 +0000\r\n"
            "From: gateway@example.com\r\n"
            "To: ann@example.org\r\n"
            "Message-ID: <a1b2@example.com>\r\n"
            "Subject: Low balance\r\n"
            "Auto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=UTF-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n"
            "\r\n"
            "Hello,\r\n\r\nbye\r\n");
}

TEST(Message, EncodesWhatIsNotAscii) {
  MessageHead given = head();
  given.sender.name = "网关";
  const std::string message = compose_message({"", "Größe", "a=b 额度"}, given);
  EXPECT_THAT(message, HasSubstr("\r\nFrom: =?UTF-8?B?572R5YWz?= <gateway@example.com>\r\n"));
  EXPECT_THAT(message, HasSubstr("\r\nSubject: =?UTF-8?B?R3LDtsOfZQ==?=\r\n"));
  EXPECT_EQ(body_of(message), "a=3Db =E9=A2=9D=E5=BA=A6\r\n");
}

TEST(Message, QuotesTheNameOfTheSender) {
  MessageHead given = head();
  given.sender.name = "My \"AI\", Inc. \\";
  EXPECT_THAT(compose_message({}, given), HasSubstr("\r\nFrom: \"My \\\"AI\\\", Inc. \\\\\" <gateway@example.com>\r\n"));
}

TEST(Message, DoesNotLetASubjectLookEncoded) {
  EXPECT_THAT(compose_message({"", "=?UTF-8?B?QQ==?=", ""}, head()), HasSubstr("Subject: =?UTF-8?B?PT9VVEYtOD9CP1FRPT0/PQ==?=\r\n"));
}

TEST(Message, NamesTheServiceAtTheFoot) {
  MessageHead given = head();
  given.service = "My Service\r\nx";
  EXPECT_EQ(body_of(compose_message({"", "s", "text\n\n\n"}, given)), "text\r\n\r\n--=20\r\nMy Service  x\r\n");
  EXPECT_EQ(body_of(compose_message({"", "s", "text"}, head())), "text\r\n");
}

TEST(Message, HasOnlyShortAsciiLinesThatEndWithCrLf) {
  MessageHead given = head();
  given.sender.name = std::string(60, 'n');
  std::string words, chinese;
  for (int i = 0; i < 300; ++i) words += "word ", chinese += "额度";
  const std::string message = compose_message({"", chinese, words + "\r\n" + chinese + "\n" + std::string(5000, 'x')}, given);
  std::size_t begin = 0;
  while (begin < message.size()) {
    const auto end = message.find("\r\n", begin);
    ASSERT_NE(end, message.npos);
    const std::string line = message.substr(begin, end - begin);
    if (!line.starts_with("From")) EXPECT_LE(line.size(), 76u) << line;
    EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 0x7f; })) << line;
    begin = end + 2;
  }
}

/// Whatever stands in the fields of a mail, the headers stay those that they are.
class Injection : public testing::TestWithParam<const char*> {};

TEST_P(Injection, AddsNoHeader) {
  const std::string text = GetParam();
  MessageHead given = head();
  given.sender.name = given.service = text;
  const std::string message = compose_message({text, text, text}, given);
  const std::string headers = message.substr(0, message.find("\r\n\r\n"));
  EXPECT_THAT(headers, Not(HasSubstr("\nBcc")));
  EXPECT_EQ(std::count(headers.begin(), headers.end(), '\r'), std::count(headers.begin(), headers.end(), '\n'));
  EXPECT_THAT(headers, EndsWith("Content-Transfer-Encoding: quoted-printable"));
  EXPECT_THAT(headers, StartsWith("Date: "));
}

INSTANTIATE_TEST_SUITE_P(Texts, Injection,
                         testing::Values("x\r\nBcc: a@b.c", "x\nBcc: a@b.c", "x\rBcc: a@b.c", "x\r\n\r\nBcc: a@b.c", "\xe5\r\nBcc: a@b.c",
                                         "\xe9\xa2\x9d\r\nBcc: a@b.c", "x\xc2\x85" "Bcc: a@b.c", "x\xe2\x80\xa8" "Bcc: a@b.c",
                                         "\xc0\x8a" "Bcc: a@b.c", "\xff\xfe\n\nBcc: a@b.c"));

TEST(Mailboxes, AreReadWithAndWithoutName) {
  EXPECT_EQ(parse_mailbox("ann@example.org")->address, "ann@example.org");
  EXPECT_EQ(parse_mailbox(" <ann@example.org> ")->address, "ann@example.org");
  for (const char* text : {"Ann Lee <a+b.c@localhost>", "\"Ann Lee\" <a+b.c@localhost>", "Ann Lee<a+b.c@localhost>"}) {
    const auto mailbox = parse_mailbox(text);
    ASSERT_TRUE(mailbox) << text;
    EXPECT_EQ(mailbox->name, "Ann Lee");
    EXPECT_EQ(mailbox->address, "a+b.c@localhost");
    EXPECT_EQ(mailbox->domain(), "localhost");
  }
}

TEST(Mailboxes, AreNothingElse) {
  for (const char* text : {"", "ann", "@example.org", "ann@", "ann@-x", "ann@b c", "a nn@b.c", "ann@b.c\r\nBcc: x@y.z", "ann@b.c\n", "a@b.c,d@e.f",
                           "a@b.c>\r\nRCPT TO:<d@e.f", "<a@b.c> <d@e.f>", "Ann <a@b.c", "Ann a@b.c", "a@b@c", "\"a b\"@c.d", "a@[1.2.3.4]",
                           "\xc3\xa4@b.c", "a@b.c\xc2\xa0"}) {
    EXPECT_FALSE(parse_mailbox(text)) << text;
  }
  EXPECT_FALSE(parse_mailbox(std::string(65, 'a') + "@b.c"));
  EXPECT_FALSE(parse_mailbox("a@" + std::string(253, 'b')));
  EXPECT_EQ(parse_mailbox("A\r\nB <a@b.c>")->name, "A  B");
}

}  // namespace
}  // namespace proxyxai
