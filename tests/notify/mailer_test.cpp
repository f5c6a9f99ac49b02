#include "proxyxai/notify/mailer.hpp"

#include <atomic>
#include <functional>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>

#include "notify/smtp_server.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

using Reply = std::optional<std::string>;

Mailer::Settings settings_for(const SmtpServer& server) {
  Mailer::Settings settings;
  settings.host = "localhost";
  settings.port = server.port();
  settings.sender = "Gateway <gateway@example.com>";
  settings.tls = MailTls::none;
  settings.pauses = {20ms, 40ms};
  settings.connect_timeout = 5s;
  settings.attempt_timeout = 20s;
  return settings;
}

Mail mail_to(const std::string& address) { return {address, "Subject", "one\n.\n..two\nthree\n"}; }

/// Until it holds, for ten seconds at most.
bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 1000 && !holds(); ++i) std::this_thread::sleep_for(10ms);
  return holds();
}

/// A reply to commands that begin with `beginning`, as often as `times`; the usual one else.
SmtpServer::Script answer(std::string beginning, std::string reply, unsigned times = 1'000'000) {
  auto left = std::make_shared<std::atomic<unsigned>>(times);
  return [=](const std::string& command) -> Reply {
    if (!command.starts_with(beginning) || *left == 0) return std::nullopt;
    --*left;
    return reply;
  };
}

TEST(MailerSettings, ProtectTheConnectionAsThePortIsUsed) {
  Mailer::Settings settings;
  EXPECT_EQ(settings.effective_tls(), MailTls::starttls);
  settings.port = 465;
  EXPECT_EQ(settings.effective_tls(), MailTls::tls);
  settings.tls = MailTls::none;
  EXPECT_EQ(settings.effective_tls(), MailTls::none);
}

TEST(Mailer, HandsOverTheWholeMessage) {
  const SmtpServer server;
  Mailer mailer(settings_for(server));
  mailer.send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return mailer.figures().sent == 1; }));
  ASSERT_THAT(server.messages(), SizeIs(1));
  EXPECT_THAT(server.messages()[0], HasSubstr("\r\nTo: ann@example.org\r\n"));
  EXPECT_THAT(server.messages()[0], HasSubstr("\r\n\r\none\r\n.\r\n..two\r\nthree\r\n"));
  EXPECT_THAT(server.commands(), ElementsAre("EHLO example.com", StartsWith("MAIL FROM:<gateway@example.com>"), StartsWith("RCPT TO:<ann@example.org>"),
                                             "DATA", "QUIT"));
  EXPECT_EQ(mailer.figures().waiting, 0u);
}

TEST(Mailer, SendsMailsInOrder) {
  const SmtpServer server;
  Mailer mailer(settings_for(server));
  for (const char* address : {"a@x.y", "b@x.y", "c@x.y"}) mailer.send(mail_to(address));
  ASSERT_TRUE(eventually([&] { return mailer.figures().sent == 3; }));
  EXPECT_THAT(server.messages(), ElementsAre(HasSubstr("To: a@x.y"), HasSubstr("To: b@x.y"), HasSubstr("To: c@x.y")));
}

TEST(Mailer, IsSilentlyOffWithoutAHost) {
  Mailer mailer(Mailer::Settings{});
  mailer.send(mail_to("ann@example.org"));
  EXPECT_FALSE(mailer.is_on());
  EXPECT_EQ(mailer.figures().waiting, 0u);
  EXPECT_EQ(mailer.figures().failed, 0u);
}

TEST(Mailer, RefusesASenderThatIsNoAddress) {
  Mailer::Settings settings;
  settings.host = "localhost";
  settings.sender = "nobody";
  EXPECT_THROW(Mailer{settings}, std::invalid_argument);
}

TEST(Mailer, SaysNothingOfARecipientThatIsNoAddress) {
  const SmtpServer server;
  Mailer mailer(settings_for(server));
  mailer.send(mail_to("ann@example.org>\r\nRCPT TO:<eve@example.org"));
  mailer.send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return mailer.figures().sent == 1; }));
  EXPECT_EQ(mailer.figures().failed, 1u);
  EXPECT_EQ(server.count("RCPT"), 1u);
}

/// A command and a reply that passes after a while.
class PutOff : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(PutOff, IsTriedAgain) {
  const SmtpServer server(answer(GetParam().first, GetParam().second, 3));
  Mailer mailer(settings_for(server));
  mailer.send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return mailer.figures().sent == 1; }));
  EXPECT_THAT(server.messages(), SizeIs(1));
  EXPECT_EQ(mailer.figures().failed, 0u);
}

INSTANTIATE_TEST_SUITE_P(Replies, PutOff,
                         testing::Values(std::pair("greeting", "554 not now"), std::pair("greeting", "421 busy"),
                                         std::pair("MAIL", "550 sender refused"), std::pair("MAIL", "451 later"),
                                         std::pair("RCPT", "450 greylisted"), std::pair("RCPT", "421 bye"),
                                         std::pair("DATA", "451 later"), std::pair(".", "452 disk full")));

class Refusal : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Refusal, IsFinalForThisMailOnly) {
  const SmtpServer server(answer(GetParam().first, GetParam().second, 1));
  Mailer mailer(settings_for(server));
  mailer.send(mail_to("nobody@example.org"));
  mailer.send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return mailer.figures().sent == 1; }));
  EXPECT_EQ(mailer.figures().failed, 1u);
  EXPECT_EQ(mailer.figures().waiting, 0u);
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(server.count("RCPT TO:<nobody@"), 1u);
}

INSTANTIATE_TEST_SUITE_P(Replies, Refusal,
                         testing::Values(std::pair("RCPT", "550 5.1.1 no such user"), std::pair("DATA", "554 no"), std::pair(".", "554 spam")));

TEST(Mailer, LetsOthersPassWhileOneIsPutOff) {
  const SmtpServer server(answer("RCPT TO:<slow@", "450 later"));
  Mailer mailer(settings_for(server));
  mailer.send(mail_to("slow@example.org"));
  mailer.send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return mailer.figures().sent == 1 && server.count("RCPT TO:<slow@") >= 3; }));
  EXPECT_EQ(mailer.figures().waiting, 1u);
}

TEST(Mailer, GivesUpInTheEnd) {
  const SmtpServer server(answer("RCPT", "450 later"));
  Mailer::Settings settings = settings_for(server);
  settings.give_up_after = 2s;
  Mailer mailer(settings);
  mailer.send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return mailer.figures().failed == 1; }));
  EXPECT_EQ(mailer.figures().waiting, 0u);
  EXPECT_GE(server.count("RCPT"), 2u);
}

TEST(Mailer, KnocksWithOneMailWhileTheServerIsDown) {
  std::atomic<unsigned> greetings = 0;
  const SmtpServer server([&](const std::string& command) -> Reply {
    return command == "greeting" && ++greetings <= 3 ? Reply("421 down") : std::nullopt;
  });
  Mailer mailer(settings_for(server));
  for (int i = 0; i < 20; ++i) mailer.send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return mailer.figures().sent == 20; }));
  EXPECT_EQ(greetings, 23u);
}

TEST(Mailer, WaitsForAServerThatIsNotThere) {
  std::optional<SmtpServer> gone(std::in_place);
  Mailer::Settings settings = settings_for(*gone);
  settings.give_up_after = 300ms;
  gone.reset();
  Mailer mailer(settings);
  mailer.send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return mailer.figures().failed == 1; }));
}

TEST(Mailer, KeepsOnlySoManyAndDropsTheOldest) {
  const SmtpServer server(answer("RCPT", "450 later"));
  Mailer::Settings settings = settings_for(server);
  settings.most_waiting = 3;
  settings.pauses = {1h};
  Mailer mailer(settings);
  for (const char* address : {"a@x.y", "b@x.y", "c@x.y"}) mailer.send(mail_to(address));
  ASSERT_TRUE(eventually([&] { return server.count("QUIT") == 3; }));
  for (const char* address : {"d@x.y", "e@x.y"}) mailer.send(mail_to(address));
  ASSERT_TRUE(eventually([&] { return server.count("QUIT") == 5; }));
  EXPECT_TRUE(eventually([&] { return mailer.figures().dropped == 2; }));
  EXPECT_EQ(mailer.figures().waiting, 3u);
}

TEST(Mailer, LimitsTheTimeOfAnAttempt) {
  const SmtpServer server(answer(".", "", 1));
  Mailer::Settings settings = settings_for(server);
  settings.attempt_timeout = 300ms;
  Mailer mailer(settings);
  mailer.send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return mailer.figures().sent == 1; }));
  EXPECT_EQ(server.count("RCPT"), 2u);
}

/// Where the server falls silent.
class Silence : public testing::TestWithParam<const char*> {};

TEST_P(Silence, DoesNotHoldUpTheEnd) {
  std::atomic<bool> silent = false;
  const SmtpServer server([&](const std::string& command) -> Reply {
    if (!command.starts_with(GetParam())) return std::nullopt;
    silent = true;
    return "";
  });
  std::optional<Mailer> mailer(std::in_place, settings_for(server));
  for (int i = 0; i < 10; ++i) mailer->send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return silent.load(); }));
  const auto begun = std::chrono::steady_clock::now();
  mailer.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2500ms);
}

INSTANTIATE_TEST_SUITE_P(Commands, Silence, testing::Values("greeting", "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"));

TEST(Mailer, EndsAtOnceWhileItPauses) {
  const SmtpServer server(answer("MAIL", "421 down"));
  Mailer::Settings settings = settings_for(server);
  settings.pauses = {1h};
  std::optional<Mailer> mailer(std::in_place, settings);
  mailer->send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return server.count("MAIL") == 1; }));
  std::this_thread::sleep_for(100ms);
  const auto begun = std::chrono::steady_clock::now();
  mailer.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 1s);
}

class Protected : public testing::TestWithParam<std::pair<MailTls, SmtpServer::Tls>> {
 protected:
  [[nodiscard]] Mailer::Settings settings(const SmtpServer& server) const {
    Mailer::Settings made = settings_for(server);
    made.tls = GetParam().first;
    made.user = "user";
    made.password = Secret("password");
    return made;
  }
  const TempDirectory directory;
};

TEST_P(Protected, IsAuthenticatedAndSentByTls) {
  // STARTTLS is offered in the clear only, AUTH behind it only.
  const SmtpServer server({}, GetParam().second, directory.path());
  Mailer::Settings made = settings(server);
  made.ca_file = directory.file("ca.pem");
  Mailer mailer(made);
  mailer.send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return mailer.figures().sent == 1; }));
  EXPECT_THAT(server.commands(), Contains(SmtpServer::credentials));
  EXPECT_EQ(server.count("STARTTLS"), GetParam().first == MailTls::starttls ? 1u : 0u);
}

TEST_P(Protected, TellsNothingToAServerThatIsNotTrusted) {
  const SmtpServer server({}, GetParam().second, directory.path());
  Mailer::Settings made = settings(server);
  made.give_up_after = 300ms;
  Mailer mailer(made);
  mailer.send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return mailer.figures().failed == 1; }));
  EXPECT_EQ(server.count("AUTH") + server.count("MAIL"), 0u);
}

INSTANTIATE_TEST_SUITE_P(Ways, Protected,
                         testing::Values(std::pair(MailTls::starttls, SmtpServer::Tls::starttls), std::pair(MailTls::tls, SmtpServer::Tls::implicit)));

TEST(Mailer, TellsNothingToAServerWithoutTlsUnlessToldSo) {
  const SmtpServer server;
  Mailer::Settings settings = settings_for(server);
  settings.tls.reset();
  settings.user = "user";
  settings.password = Secret("password");
  settings.give_up_after = 300ms;
  Mailer mailer(settings);
  mailer.send(mail_to("ann@example.org"));
  ASSERT_TRUE(eventually([&] { return mailer.figures().failed == 1; }));
  EXPECT_GE(server.count("EHLO"), 1u);
  EXPECT_EQ(server.count("AUTH") + server.count("MAIL"), 0u);
}

}  // namespace
}  // namespace proxyxai
