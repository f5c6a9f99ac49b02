#include "proxyxai/notify/letters.hpp"

#include <gmock/gmock.h>

namespace proxyxai {
namespace {

using testing::HasSubstr;
using testing::Not;

const letters::Addressee ann{"ann-1", "billing@example.org"};

std::vector<Mail> all_letters(const letters::Addressee& to) {
  return {letters::welcome(to, dollars(100)), letters::low_balance(to, dollars(1)), letters::soft_limit(to, dollars(80), dollars(80), dollars(100)),
          letters::hard_limit(to, dollars(100), dollars(100)), letters::card_expires(to, dollars(7), WallTime{}), letters::key_dead(to, {}),
          letters::key_exhausted(to, {})};
}

TEST(Letters, GoToTheAddressGivenAndGreetByNameInTwoLanguages) {
  for (const Mail& each : all_letters(ann)) {
    EXPECT_EQ(each.to, "billing@example.org");
    EXPECT_FALSE(each.subject.empty());
    EXPECT_TRUE(each.text.starts_with("Hello ann-1,\n\n")) << each.text;
    EXPECT_THAT(each.text, HasSubstr("\xe3\x80\x82\n")) << "no Chinese line";
  }
}

TEST(Letters, KeepNamesOnOneLine) {
  for (const Mail& each : all_letters({"ann\r\nBcc: x@y.z\n\nWin a prize", "a@b.c"})) {
    EXPECT_THAT(each.subject, Not(HasSubstr("\n")));
    EXPECT_TRUE(each.text.starts_with("Hello ann  Bcc: x@y.z  Win a prize,\n\n")) << each.text;
  }
}

TEST(Letters, ShowWholeCentsAndNeverTooMuch) {
  EXPECT_EQ(letters::low_balance(ann, {1'999'999'999}).subject, "Low balance: $1.99 left");
  EXPECT_EQ(letters::low_balance(ann, {50'000'000}).subject, "Low balance: $0.05 left");
  EXPECT_EQ(letters::low_balance(ann, {-1'500'000'000}).subject, "Low balance: -$1.50 left");
  EXPECT_EQ(letters::low_balance(ann, {-1}).subject, "Low balance: $0.00 left");
  EXPECT_EQ(letters::low_balance(ann, dollars(12'345)).subject, "Low balance: $12345.00 left");
}

TEST(Letters, SayWhatTheLimitsAre) {
  const Mail soft = letters::soft_limit(ann, dollars(81), dollars(80), dollars(100));
  for (const char* amount : {"$81.00", "$80.00", "$100.00"}) EXPECT_THAT(soft.text, HasSubstr(amount));
  const Mail hard = letters::hard_limit(ann, dollars(101), dollars(100));
  for (const char* amount : {"$101.00", "$100.00"}) EXPECT_THAT(hard.text, HasSubstr(amount));
}

TEST(Letters, SayWhenACardExpires) {
  const WallTime time = from_unix_ms(1'795'510'680'000);
  const Mail mail = letters::card_expires(ann, dollars(50), time);
  EXPECT_THAT(mail.text, HasSubstr("$50.00"));
  EXPECT_THAT(mail.text, HasSubstr(to_rfc3339(time)));
}

TEST(Letters, NameAKeyByIdNameAndTailOnly) {
  for (const auto write : {&letters::key_dead, &letters::key_exhausted}) {
    const Mail mail = write(ann, {7, "main", "sk-Canary0123456789AbCd", "insufficient_quota"});
    EXPECT_THAT(mail.subject, HasSubstr("key 7 \"main\" (...AbCd)"));
    EXPECT_THAT(mail.text, HasSubstr("(insufficient_quota)"));
    EXPECT_THAT(mail.text, Not(HasSubstr("Canary")));
    const Mail pasted = write(ann, {7, "sk-Canary0123456789abcdefghij", "", "sk-Canary0123456789abcdefghij"});
    EXPECT_THAT(pasted.subject + pasted.text, Not(HasSubstr("Canary")));
  }
}

}  // namespace
}  // namespace proxyxai
